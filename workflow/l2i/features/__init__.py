"""From sound to spectra: audio files, spectrograms, log-mels, their cache (Sec. IV-B.2)."""
