"""What users have done, as one value per user in a key-value store."""
