"""What the training and evaluation panels share."""
