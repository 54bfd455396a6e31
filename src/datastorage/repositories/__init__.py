"""The only place that builds SQL. Every repository of audits is made for one caller's scope."""
