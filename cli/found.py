"""Where the cluster is: an address given, the settings', the one running on the data folder, or the usual address."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import UsageError

if TYPE_CHECKING:
    from config.settings import Settings

USUAL_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Cluster:
    """A cluster to talk to. `roots` is known only of one that runs on this machine's data folder."""

    url: str
    api_key: str | None = field(default=None, repr=False)
    roots: dict[str, Path] | None = None
    data_dir: Path | None = None
    buckets: dict[str, str] = field(default_factory=dict)
    """Roots in an S3-compatible store, ``s3://bucket/prefix``; as `roots`, and what the settings here name."""


def load_settings(**given: Any) -> Settings:
    """This process's settings; a wrong one is a `UsageError` that names the field."""
    from pydantic import ValidationError

    from config.settings import ConfigFileMissing, Settings

    try:
        return Settings(**given)
    except ValidationError as error:
        raise UsageError("; ".join(setting_errors(error))) from error
    except ConfigFileMissing as error:
        raise UsageError(f"{error}.") from error
    except ValueError as error:  # a file that is not TOML, a variable that is not JSON
        raise UsageError(f"The settings cannot be read: {error}.") from error


def setting_errors(error: Any) -> list[str]:
    """A sentence for each wrong setting, with the name to change."""
    sentences = []
    for found in error.errors():
        place = [str(part) for part in found["loc"]]
        variable = "SAMPLEMIND_" + "__".join(place).upper()
        if found["type"] == "extra_forbidden":
            sentences.append(f"There is no setting {'.'.join(place)} ({variable}); see ./samplemind settings")
        else:
            sentences.append(f"Setting {'.'.join(place)} ({variable}): {found['msg']}")
    return sentences


def find_cluster(url: str | None = None, data_dir: Path | None = None) -> Cluster:
    """The cluster that is meant."""
    from cli.cluster.folder import DataFolder

    settings = load_settings()
    key = settings.api_key.get_secret_value() if settings.api_key else None
    folder = DataFolder((data_dir or settings.data_dir).expanduser())
    local = folder.running()
    chosen = url or (settings.url if data_dir is None else None) or (str(local["url"]) if local else USUAL_URL)
    if not chosen.startswith(("http://", "https://")):
        raise UsageError(f"The gateway's address must begin with http:// or https://, not {chosen!r}.")
    chosen = chosen.rstrip("/")
    buckets = {name: str(where) for name, where in settings.buckets.items()}
    if local and local.get("url") == chosen:
        roots = {str(name): Path(str(path)) for name, path in dict(local.get("roots") or {}).items()}
        buckets |= {str(name): str(where) for name, where in dict(local.get("buckets") or {}).items()}
        return Cluster(chosen, key, roots, folder.path, buckets)
    return Cluster(chosen, key, buckets=buckets)
