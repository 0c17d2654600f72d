"""The figures that the site prints, and the reports that contain them."""
