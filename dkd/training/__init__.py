"""Training: settings and recipes, the trainer, losses, run folders, and validation."""
