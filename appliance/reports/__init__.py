"""Every figure that the site prints, and the papers it is printed on."""
