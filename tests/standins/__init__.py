"""Servers that speak the true protocols of the services of the cloud path, for tests on one machine."""
