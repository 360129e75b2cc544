"""The paths of the API, the same as Guerdon's."""

from django.urls import path

from conversions.views import receive
from missions import views

urlpatterns = [
    path("v1/missions", views.list_missions),
    path("v1/postbacks/<str:token>", receive),
    path("readyz", views.readyz),
]
