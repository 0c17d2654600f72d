"""On-premises call-centre appliance for a ministry's 24/7 hotline."""
