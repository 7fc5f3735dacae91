"""What a user's side needs."""
