"""Pages of assets, of what happens to them, and of the lists that people choose from."""
