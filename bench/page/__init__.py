"""Self-contained pages, each one HTML file: what the pages of a run, of a comparison and of a site share."""
