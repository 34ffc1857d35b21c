"""The cases, a file a section: tables of what the peer does and what a good server does, and their judges."""
