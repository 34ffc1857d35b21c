"""The zoo: bots with one fault each, in the manner of bots that people have reported, and what is said of them."""
