from django.urls import path

from apps.catalog import candidate_views as candidates
from apps.catalog import provider_views as providers

PROVIDER = "setup/providers/<slug:slug>/"
CANDIDATE = "setup/candidates/<slug:slug>/"

urlpatterns = [
    path("setup/providers/", providers.setup_providers, name="setup_providers"),
    path("setup/add-provider/", providers.add_provider, name="add_provider"),
    path(PROVIDER, providers.setup_provider, name="setup_provider"),
    path(f"{PROVIDER}test/", providers.run_provider_test, name="run_provider_test"),
    path(f"{PROVIDER}models/", providers.provider_models, name="provider_models"),
    path(f"{PROVIDER}change/", providers.change_provider, name="change_provider"),
    path(f"{PROVIDER}credential/", providers.set_credential, name="set_credential"),
    path(f"{PROVIDER}retire/", providers.retire_provider, name="retire_provider"),
    path(f"{PROVIDER}register/", candidates.register_candidate, name="register_candidate"),
    path("setup/candidates/", candidates.setup_candidates, name="setup_candidates"),
    path(CANDIDATE, candidates.setup_candidate, name="setup_candidate"),
    path(f"{CANDIDATE}change/", candidates.change_candidate, name="change_candidate"),
    path(f"{CANDIDATE}state/", candidates.change_candidate_state, name="change_candidate_state"),
    path(f"{CANDIDATE}price/", candidates.set_price, name="set_price"),
    path(f"{CANDIDATE}hosting/", candidates.start_hosting, name="start_hosting"),
    path(
        f"{CANDIDATE}hosting/<int:interval_id>/", candidates.change_hosting, name="change_hosting"
    ),
    path(
        f"{CANDIDATE}hosting/<int:interval_id>/stop/", candidates.stop_hosting, name="stop_hosting"
    ),
]
