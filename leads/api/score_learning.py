"""Say in the API what was learned about scoring rules, and read which of it is taken over."""

from rest_framework import serializers

from accounts.web.rest.fields import (
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from leads.enums import ScoreGroup
from leads.models import ScoreLearning


class FeatureSerializer(StrictSerializer):
    """What was learned about one rule."""

    rule = StrictCharField(read_only=True)
    name = serializers.CharField(read_only=True)
    group = StrictChoiceField(ScoreGroup, read_only=True)
    points = serializers.IntegerField(read_only=True, help_text="Today's.")
    cases = serializers.IntegerField(read_only=True, help_text="Leads that matched the rule before their outcome.")
    conversions = serializers.IntegerField(read_only=True)
    lift = serializers.FloatField(read_only=True, help_text="How many times as often they converted as all leads.")
    low = serializers.FloatField(read_only=True, help_text="The lift's 90 % interval: from `low` to `high`.")
    high = serializers.FloatField(read_only=True)
    suggested = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Points, of which 20 double the odds; 0: switch it off."
    )
    reason = StrictCharField(read_only=True, help_text="Why nothing is suggested.")


class LearnedSerializer(StrictSerializer):
    """What was learned. Where `is_enough` is false, the counts say of what there are too few."""

    leads = serializers.IntegerField(read_only=True)
    conversions = serializers.IntegerField(read_only=True)
    min_leads = serializers.IntegerField(read_only=True)
    min_conversions = serializers.IntegerField(read_only=True)
    is_enough = serializers.BooleanField(read_only=True)
    features = FeatureSerializer(many=True, required=False)
    tested_leads = serializers.IntegerField(required=False, help_text="The newest leads, on which points are compared.")
    tested_conversions = serializers.IntegerField(required=False)
    rate = serializers.FloatField(required=False, help_text="The conversion of all of them.")
    top_today = serializers.FloatField(required=False, help_text="That of the top fifth by today's points.")
    top_suggested = serializers.FloatField(required=False, help_text="That of the top fifth by the suggested points.")


class ScoreLearningSerializer(StrictSerializer):
    id = id_field()
    state = StrictChoiceField(ScoreLearning.State, read_only=True)
    done = serializers.IntegerField(read_only=True, help_text="Leads looked at so far, of `total`.")
    total = serializers.IntegerField(read_only=True)
    error = StrictCharField(read_only=True)
    rules_version = serializers.IntegerField(read_only=True, allow_null=True)
    result = LearnedSerializer(read_only=True, allow_null=True)
    at = UTCDateTimeField(read_only=True, allow_null=True, help_text="When scheduled points are taken over.")
    chosen = serializers.ListField(child=serializers.CharField(), read_only=True)
    accepted_by = StrictCharField(read_only=True)
    accepted_at = UTCDateTimeField(read_only=True, allow_null=True)
    accepted_version = serializers.IntegerField(read_only=True, allow_null=True)
    created_at = UTCDateTimeField(read_only=True)


class AcceptSerializer(StrictSerializer):
    rules = serializers.ListField(
        child=StrictCharField(required=True, max_length=40), required=False, max_length=100, help_text="Absent: all."
    )
    at = UTCDateTimeField(required=False, allow_null=True, help_text="Absent: now.")
