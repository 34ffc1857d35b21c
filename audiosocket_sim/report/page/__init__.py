"""Templates, styles and scripts of all pages, and how they become one file."""
