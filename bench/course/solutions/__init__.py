"""The solutions, one file per exercise. An exercise is its solution without the code between the markers."""
