"""The solutions, one file an exercise. The exercises are made of them: what stands between the markers is taken out."""
