"""Small tools for sockets and HTTP that several rooms share."""
