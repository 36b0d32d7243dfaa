"""What a plan maximises, as weights on the spend, margin and revenue of cells."""
