"""The paths of the API, the same as Guerdon's."""

from django.urls import path

from missions import views

urlpatterns = [
    path("v1/missions", views.list_missions),
    path("readyz", views.readyz),
]
