"""Pages in one HTML file that ask for nothing else: what the pages of a run, of a comparison and of a site share."""
