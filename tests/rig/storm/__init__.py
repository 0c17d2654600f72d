"""Send thousands of messages to misbehaving services, and kill the sender at random.

The messages that reached the services are compared with the states in the outbox.
"""
