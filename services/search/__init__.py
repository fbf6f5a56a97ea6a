"""search: keeps what is known of every file findable, and turns a query into files and the moments inside them."""
