"""The listening test (paper, Sec. V-A.3): what is played to whom, up to the ratings."""
