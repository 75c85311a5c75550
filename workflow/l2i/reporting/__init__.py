"""From scores of clips to tables and figures beside the paper's numbers."""
