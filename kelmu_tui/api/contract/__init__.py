"""The wire: every body that client and backend exchange, with its limits.

Requests forbid unknown fields, answers ignore them, so that an older client survives a newer backend. Foreign text
is cleaned when a model is built, on both sides. Instants are UTC, dates are Finnish calendar days, sums are
`Decimal` euros as strings. `docs/openapi.json` is generated from these models and the routes.
"""

from __future__ import annotations

from kelmu_tui.api.contract.commands import CommandResult as CommandResult
from kelmu_tui.api.contract.commands import EmptyBody as EmptyBody
from kelmu_tui.api.contract.commands import NoteBody as NoteBody
from kelmu_tui.api.contract.commands import TransferBody as TransferBody
from kelmu_tui.api.contract.common import API_VERSION as API_VERSION
from kelmu_tui.api.contract.common import HEADER_DEVICE as HEADER_DEVICE
from kelmu_tui.api.contract.common import HEADER_IDEMPOTENCY as HEADER_IDEMPOTENCY
from kelmu_tui.api.contract.common import HEADER_LEASE as HEADER_LEASE
from kelmu_tui.api.contract.common import HEADER_ORGANISATION as HEADER_ORGANISATION
from kelmu_tui.api.contract.common import HEADER_REQUEST_ID as HEADER_REQUEST_ID
from kelmu_tui.api.contract.common import HEADER_SCHEMA as HEADER_SCHEMA
from kelmu_tui.api.contract.common import HEADER_VERSION as HEADER_VERSION
from kelmu_tui.api.contract.common import MAX_WAIT as MAX_WAIT
from kelmu_tui.api.contract.common import SCHEMA as SCHEMA
from kelmu_tui.api.contract.common import Answer as Answer
from kelmu_tui.api.contract.common import Block as Block
from kelmu_tui.api.contract.common import BusinessId as BusinessId
from kelmu_tui.api.contract.common import Identifier as Identifier
from kelmu_tui.api.contract.common import Line as Line
from kelmu_tui.api.contract.common import LocalText as LocalText
from kelmu_tui.api.contract.common import MunicipalityCode as MunicipalityCode
from kelmu_tui.api.contract.common import Request as Request
from kelmu_tui.api.contract.common import Sequence as Sequence
from kelmu_tui.api.contract.common import Version as Version
from kelmu_tui.api.contract.customers import ClaimRow as ClaimRow
from kelmu_tui.api.contract.customers import CustomerQuery as CustomerQuery
from kelmu_tui.api.contract.customers import DecisionOutcome as DecisionOutcome
from kelmu_tui.api.contract.customers import DecisionRow as DecisionRow
from kelmu_tui.api.contract.customers import Deduction as Deduction
from kelmu_tui.api.contract.customers import HouseholdPerson as HouseholdPerson
from kelmu_tui.api.contract.customers import InsuranceRow as InsuranceRow
from kelmu_tui.api.contract.customers import LookUpRow as LookUpRow
from kelmu_tui.api.contract.customers import LookUps as LookUps
from kelmu_tui.api.contract.customers import MedicineRow as MedicineRow
from kelmu_tui.api.contract.customers import PassedOnRow as PassedOnRow
from kelmu_tui.api.contract.customers import Payee as Payee
from kelmu_tui.api.contract.customers import PaymentRow as PaymentRow
from kelmu_tui.api.contract.customers import PendingKind as PendingKind
from kelmu_tui.api.contract.customers import PendingRow as PendingRow
from kelmu_tui.api.contract.customers import PendingStage as PendingStage
from kelmu_tui.api.contract.customers import Person as Person
from kelmu_tui.api.contract.customers import PersonLine as PersonLine
from kelmu_tui.api.contract.customers import PersonWarning as PersonWarning
from kelmu_tui.api.contract.customers import QueryEnd as QueryEnd
from kelmu_tui.api.contract.customers import QueryLine as QueryLine
from kelmu_tui.api.contract.customers import RecoveryRow as RecoveryRow
from kelmu_tui.api.contract.customers import SectionLine as SectionLine
from kelmu_tui.api.contract.customers import SectionState as SectionState
from kelmu_tui.api.contract.feed import Change as Change
from kelmu_tui.api.contract.feed import Changes as Changes
from kelmu_tui.api.contract.feed import SnapshotEnd as SnapshotEnd
from kelmu_tui.api.contract.feed import SnapshotRow as SnapshotRow
from kelmu_tui.api.contract.feed import SnapshotStart as SnapshotStart
from kelmu_tui.api.contract.problems import Problem as Problem
from kelmu_tui.api.contract.problems import ProblemCode as ProblemCode
from kelmu_tui.api.contract.rows import AnnouncementKind as AnnouncementKind
from kelmu_tui.api.contract.rows import AnnouncementRow as AnnouncementRow
from kelmu_tui.api.contract.rows import Customer as Customer
from kelmu_tui.api.contract.rows import Expense as Expense
from kelmu_tui.api.contract.rows import HouseholdMember as HouseholdMember
from kelmu_tui.api.contract.rows import Note as Note
from kelmu_tui.api.contract.rows import NoticeContent as NoticeContent
from kelmu_tui.api.contract.rows import NoticeRow as NoticeRow
from kelmu_tui.api.contract.rows import Row as Row
from kelmu_tui.api.contract.rows import TraceRow as TraceRow
from kelmu_tui.api.contract.rows import TransferOrigin as TransferOrigin
from kelmu_tui.api.contract.session import GrantInfo as GrantInfo
from kelmu_tui.api.contract.session import Health as Health
from kelmu_tui.api.contract.session import Lease as Lease
from kelmu_tui.api.contract.session import OrganisationInfo as OrganisationInfo
from kelmu_tui.api.contract.session import SessionInfo as SessionInfo
from kelmu_tui.api.contract.session import UserInfo as UserInfo
from kelmu_tui.api.contract.sign_in import DemoApproval as DemoApproval
from kelmu_tui.api.contract.sign_in import DeviceAuthorization as DeviceAuthorization
from kelmu_tui.api.contract.sign_in import OAuthError as OAuthError
from kelmu_tui.api.contract.sign_in import Persona as Persona
from kelmu_tui.api.contract.sign_in import PersonaList as PersonaList
from kelmu_tui.api.contract.sign_in import Tokens as Tokens
from kelmu_tui.api.contract.views import HEADER_SIGNATURE as HEADER_SIGNATURE
from kelmu_tui.api.contract.views import MAX_EVENTS as MAX_EVENTS
from kelmu_tui.api.contract.views import ChainHead as ChainHead
from kelmu_tui.api.contract.views import ChainRegistration as ChainRegistration
from kelmu_tui.api.contract.views import ShippedEvent as ShippedEvent
from kelmu_tui.api.contract.views import ViewBatch as ViewBatch
from kelmu_tui.api.contract.views import ViewBody as ViewBody
from kelmu_tui.api.contract.views import ViewReceipt as ViewReceipt
from kelmu_tui.domain.sections import MAX_CASE as MAX_CASE
from kelmu_tui.domain.sections import MAX_REASON_TEXT as MAX_REASON_TEXT
