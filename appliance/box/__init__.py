"""The box itself: links, snapshots, retention, jobs that ran, self-tests, health, alarms."""
