"""Policy and papers of the snapshots. The code that uses them is appliance.box.snapshots."""
