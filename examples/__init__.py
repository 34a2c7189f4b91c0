"""Small real trainings, one for each way a loss curve goes wrong and two that go well."""
