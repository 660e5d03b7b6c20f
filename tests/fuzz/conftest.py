"""The stage of the table of who may."""

from tests.authorisation.conftest import stage, whole_stage

__all__ = ["stage", "whole_stage"]
