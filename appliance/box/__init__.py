"""The box: links, snapshots, retention, job runs, self-tests, health checks and alarms."""
