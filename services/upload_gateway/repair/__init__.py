"""What the person on call has: dead letters, failures, running again, bucket against table, and the sweeper."""
