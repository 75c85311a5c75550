"""What several tests need: paths, the loader of scripts, corpora, tasks, tiny projects."""
