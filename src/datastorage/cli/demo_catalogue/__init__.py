"""The catalogue of the demo data: what fails, how it shows, what is tried, and where. Read by `demo_incidents`."""

from datastorage.cli.demo_catalogue.estate import CLUSTERS, WORKLOADS, Cluster, Workload
from datastorage.cli.demo_catalogue.scenario import Action, Scenario, load_scenarios

__all__ = ["CLUSTERS", "WORKLOADS", "Action", "Cluster", "Scenario", "Workload", "load_scenarios"]
