"""The control API and the page that shows the calls."""
