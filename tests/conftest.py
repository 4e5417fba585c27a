from hypothesis import HealthCheck, settings

# How fast an example is depends on what else the machine does; that is no property to test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
