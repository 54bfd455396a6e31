"""The data set: made-up incidents, the same for the same number of rows, loaded as the service would store them."""
