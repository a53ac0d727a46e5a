"""Deploying: batch prediction, the HTTP server with its client, and the forms in which a bundle leaves."""
