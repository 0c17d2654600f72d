"""The gunicorn application, its pages and their rights."""
