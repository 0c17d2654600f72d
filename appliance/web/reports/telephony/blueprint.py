"""The blueprint to which the modules of the telephony report add their pages."""

from flask import Blueprint

screen = Blueprint("analytics", __name__, url_prefix="/analytics")
