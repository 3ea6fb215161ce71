"""What every other folder uses: errors, files, text, git, child processes, environment, statistics, models."""
