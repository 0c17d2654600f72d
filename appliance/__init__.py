"""On-premises call-centre appliance for a ministry's 24/7 hotline."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent  # with data, migrations, translations, front end
