from django.urls import path

from apps.accounts import setup_views, views

urlpatterns = [
    path("join/<str:token>/", views.join, name="join"),
    path("break-glass/<str:token>/", views.break_glass_sign_in, name="break_glass_sign_in"),
    path(
        "accounts/oidc/<str:provider_id>/login/",
        views.openid_connect_login,
        name="openid_connect_login",
    ),
    path("account/", views.account, name="account"),
    path("account/name/", views.rename_yourself, name="rename_yourself"),
    path("account/sign-out/", views.sign_out_everywhere, name="sign_out_everywhere"),
    path("setup/people/", setup_views.setup_people, name="setup_people"),
    path("setup/people/invite/", setup_views.invite_people, name="invite_people"),
    path(
        "setup/people/invitations/<int:invitation_id>/revoke/",
        setup_views.revoke_invitation,
        name="revoke_invitation",
    ),
    path("setup/people/<int:user_id>/", setup_views.setup_person, name="setup_person"),
    path("setup/people/<int:user_id>/role/", setup_views.change_role, name="change_role"),
    path("setup/people/<int:user_id>/access/", setup_views.change_access, name="change_access"),
    path("setup/people/<int:user_id>/delete/", setup_views.delete_person, name="delete_person"),
    path("setup/audit/", setup_views.setup_audit, name="setup_audit"),
]
