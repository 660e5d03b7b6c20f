"""People and drafts; everything that has a state is made by calling services (tests/scenarios.py)."""

from functools import cache

import factory
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from jobs.models import Person

PASSWORD = "correct horse battery staple"


@cache
def hashed_password() -> str:
    """Hashing is slow by design: once for all people of a run."""
    return make_password(PASSWORD)


class PersonFactory(factory.django.DjangoModelFactory[Person]):
    """A person whose e-mail address is confirmed."""

    class Meta:
        model = Person
        skip_postgeneration_save = True

    name = factory.Sequence(lambda number: f"Person {number}")
    email = factory.Sequence(lambda number: f"person{number}@example.com")
    time_zone = "UTC"
    billing_address = "1 Main Street\nSpringfield"

    @classmethod
    def _create(cls, model_class: type[Person], *args: object, **fields: object) -> Person:
        person = Person.objects.create(password=hashed_password(), **fields)
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        return person
