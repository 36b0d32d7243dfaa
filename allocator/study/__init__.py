"""What stands on whole plans: whether they keep their promise."""
