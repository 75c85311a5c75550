"""How networks learn: the loop, checkpoints, losses, feeding, augmentation, model selection."""
