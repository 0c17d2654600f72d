"""Appeals of citizens: forms, handling, deadlines, lists, departments, the ministry's system."""
