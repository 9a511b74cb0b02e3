"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("dev", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("ci" if os.environ.get("CI") else "dev")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(config, items):
    """Leave out tests on real logs where those are not beside the checkout."""
    if (SHARED / "logs").is_dir():
        return
    real = [item for item in items if "real_logs" in item.fixturenames]
    config.hook.pytest_deselected(items=real)
    items[:] = [item for item in items if item not in real]


@pytest.fixture(scope="session")
def real_logs():
    """Return the folder of real vehicle logs; tests that ask for it run only where it is."""
    return SHARED / "logs"
