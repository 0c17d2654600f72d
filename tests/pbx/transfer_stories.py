"""Logs of Asterisk 22: calls refused, served by the menu, transferred, and placed by the site."""

from tests.pbx.stories import ARRIVAL, TO_QUEUE, TO_TALK

CALLER_HANGUP = """
{at} | HANGUP       | caller | source=caller
{at} | LINKEDID_END | caller |
"""


def caller_hangs_up(second: float) -> str:
    """Return the rows of the caller hanging up at that second."""
    return CALLER_HANGUP.replace("{at}", str(second))


EMPLOYEE, HOTLINE = "+998711234567", "+998712000000"
BLOCKED = """
0.0 | CHAN_START   | caller | num=998935550147
0.1 | ARRIVED      | caller | dialled=1006 trunk=carrier caller=998935550147 diverted= sip=c1
0.2 | REFUSED      | caller | why=blocked
0.2 | HANGUP       | caller | source=none cause=21
0.2 | LINKEDID_END | caller |
"""
ONLY_CLOSED = ARRIVAL + "2 | CLOSED | caller | message=holiday" + caller_hangs_up(6)
CLOSED_THEN_QUEUE = ARRIVAL + "1 | CLOSED | caller | message=closed" + TO_QUEUE[len(ARRIVAL) :]
STATUS_READ_OUT = (
    ARRIVAL
    + """
2 | KEY          | caller | key=3
9 | SELF_SERVICE | caller | step=appeal_status result=told
"""
)
STATUS_UNKNOWN = STATUS_READ_OUT.replace("told", "unknown")
CALLBACK_REQUESTED = (
    TO_QUEUE
    + """
30 | APP_END      | caller | app=Queue
30 | QUEUE_LEFT   | caller | queue=ru status=CALLBACK
33 | CALLBACK     | caller | number=+998935550147
36 | HANGUP       | caller | source=none
"""
)
OVERFLOWED = (
    ARRIVAL
    + """
2  | TOPIC        | caller | topic=housing
5  | QUEUE        | caller | queue=ru-housing language=ru topic=housing why=first
5  | APP_START    | caller | app=Queue data=ru-housing,c
25 | APP_END      | caller | app=Queue
25 | QUEUE_LEFT   | caller | queue=ru-housing status=TIMEOUT
25 | QUEUE        | caller | queue=any language=ru topic=housing why=overflow
25 | APP_START    | caller | app=Queue data=any,c
26 | CHAN_START   | 1001 |
30 | ANSWER       | 1001 |
30 | BRIDGE_ENTER | 1001 | bridge=b1
30 | BRIDGE_ENTER | caller | bridge=b1
40 | BRIDGE_EXIT  | caller | bridge=b1
40 | HANGUP       | 1001 | source=caller
"""
    + caller_hangs_up(40)
)
# Blind transfer: the phone sends the caller into [transfer] and leaves.
BLIND_STARTED = (
    TO_TALK
    + f"""
20   | BLINDTRANSFER | 1001 |
20   | BRIDGE_EXIT  | caller | bridge=b1
20   | BRIDGE_EXIT  | 1001 | bridge=b1
20   | HANGUP       | 1001 | source=1001
20   | TRANSFER     | caller | kind=blind to={EMPLOYEE} by=op01
20.1 | RECORDING    | caller | file=2026/11/24/{{call}}-2.wav
20.2 | CHAN_START   | carrier#2 |
"""
)
BLIND_ANSWERED = (
    BLIND_STARTED
    + """
24   | ANSWER       | carrier#2 |
24   | TRANSFER_END | carrier#2 | result=answered returned=no
24.2 | BRIDGE_ENTER | carrier#2 | bridge=b2
24.2 | BRIDGE_ENTER | caller | bridge=b2
"""
)
BLIND_TRANSFER = (
    BLIND_ANSWERED
    + """
54.2 | BRIDGE_EXIT  | carrier#2 | bridge=b2
54.2 | BRIDGE_EXIT  | caller | bridge=b2
54.2 | HANGUP       | carrier#2 | source=carrier#2
54.3 | DIALLED      | caller | trunk=carrier status=ANSWER cause=16
60   | RATING       | caller | mark=5
"""
    + caller_hangs_up(62)
)
# The employee does not answer; their substitute does.
SUBSTITUTE = "+998711234599"
BLIND_SUBSTITUTE = (
    BLIND_STARTED.replace("20.2 |", f"20.1 | RINGS | caller | number={EMPLOYEE}\n20.2 |")
    + f"""
22   | HANGUP       | carrier#2 | source=caller
22   | DIALLED      | caller | trunk=carrier status=NOANSWER cause=19
22   | RINGS        | caller | number={SUBSTITUTE}
22.1 | CHAN_START   | carrier#3 |
24   | ANSWER       | carrier#3 |
24   | TRANSFER_END | carrier#3 | result=answered returned=no
24.2 | BRIDGE_ENTER | carrier#3 | bridge=b2
24.2 | BRIDGE_ENTER | caller | bridge=b2
54.2 | BRIDGE_EXIT  | carrier#3 | bridge=b2
54.2 | BRIDGE_EXIT  | caller | bridge=b2
54.2 | HANGUP       | carrier#3 | source=carrier#3
"""
    + caller_hangs_up(62)
)
BLIND_ABANDONED = (
    BLIND_STARTED
    + """
30 | HANGUP       | carrier#2 | source=caller
30 | TRANSFER_END | caller | result=no_answer returned=no
"""
    + caller_hangs_up(30)
)
RETURN_TO_QUEUE = """
{at}   | HANGUP       | carrier#2 | source=carrier#2 cause=17
{at}   | DIALLED      | caller | trunk=carrier status=BUSY cause=17
{at}   | TRANSFER_END | caller | result=busy returned=yes
{at}   | QUEUE        | caller | queue=op-1001 language=ru topic= why=returned
{at}   | APP_START    | caller | app=Queue data=op-1001,c
"""
OPERATOR_ANSWERS_AGAIN = """
29   | CHAN_START   | 1001#2 |
30   | ANSWER       | 1001#2 |
30   | BRIDGE_ENTER | 1001#2 | bridge=b3
30   | BRIDGE_ENTER | caller | bridge=b3
45   | BRIDGE_EXIT  | 1001#2 | bridge=b3
45   | BRIDGE_EXIT  | caller | bridge=b3
45   | HANGUP       | 1001#2 | source=1001#2
"""
BLIND_BUSY = (
    BLIND_STARTED
    + RETURN_TO_QUEUE.replace("{at}", "28")
    + OPERATOR_ANSWERS_AGAIN
    + caller_hangs_up(50)
)
# The employee's line fails during the talk: the caller returns, although the transfer was answered.
EMPLOYEE_CUT_OFF = (
    BLIND_ANSWERED
    + """
26   | BRIDGE_EXIT  | carrier#2 | bridge=b2
26   | BRIDGE_EXIT  | caller | bridge=b2
26   | HANGUP       | carrier#2 | source=none cause=38
26.1 | TRANSFER_END | caller | result= returned=yes
26.2 | QUEUE        | caller | queue=ru language=ru topic= why=returned
26.2 | APP_START    | caller | app=Queue data=ru,c
"""
    + OPERATOR_ANSWERS_AGAIN
    + caller_hangs_up(50)
)
# To another operator, and from them to an employee.
TRANSFER_CHAIN = (
    TO_TALK
    + f"""
20   | BRIDGE_EXIT  | caller | bridge=b1
20   | BRIDGE_EXIT  | 1001 | bridge=b1
20   | HANGUP       | 1001 | source=1001
20   | TRANSFER     | caller | kind=blind to=1002 by=op01
20.2 | CHAN_START   | 1002 |
24   | ANSWER       | 1002 |
24   | TRANSFER_END | 1002 | result=answered returned=no
24   | BRIDGE_ENTER | 1002 | bridge=b2
24   | BRIDGE_ENTER | caller | bridge=b2
34   | BRIDGE_EXIT  | caller | bridge=b2
34   | BRIDGE_EXIT  | 1002 | bridge=b2
34   | HANGUP       | 1002 | source=1002
34   | TRANSFER     | caller | kind=blind to={EMPLOYEE} by=op02
34.2 | CHAN_START   | carrier#2 |
40   | ANSWER       | carrier#2 |
40   | TRANSFER_END | carrier#2 | result=answered returned=no
40   | BRIDGE_ENTER | carrier#2 | bridge=b3
40   | BRIDGE_ENTER | caller | bridge=b3
60   | BRIDGE_EXIT  | caller | bridge=b3
60   | HANGUP       | carrier#2 | source=caller
"""
    + caller_hangs_up(60)
)
# From the page: the caller is on hold while the operator consults the employee.
CONSULTATION_STARTED = (
    TO_TALK
    + f"""
20   | BRIDGE_EXIT  | caller | bridge=b1
20   | BRIDGE_EXIT  | 1001 | bridge=b1
20   | TRANSFER     | 1001 | kind=attended to={EMPLOYEE} by=op01
20.2 | CHAN_START   | carrier#2 |
"""
)
CONSULTATION_ANSWERED = (
    CONSULTATION_STARTED
    + """
25   | ANSWER       | carrier#2 |
25   | BRIDGE_ENTER | carrier#2 | bridge=b2
25   | BRIDGE_ENTER | 1001 | bridge=b2
"""
)
PAGE_JOINED = (
    CONSULTATION_ANSWERED
    + """
40   | BRIDGE_EXIT  | carrier#2 | bridge=b2
40   | BRIDGE_EXIT  | 1001 | bridge=b2
40   | TRANSFER_END | 1001 | result=answered returned=no
40   | HANGUP       | 1001 | source=none
40   | BRIDGE_ENTER | caller | bridge=b3
40   | BRIDGE_ENTER | carrier#2 | bridge=b3
70   | BRIDGE_EXIT  | carrier#2 | bridge=b3
70   | BRIDGE_EXIT  | caller | bridge=b3
70   | HANGUP       | carrier#2 | source=carrier#2
"""
    + caller_hangs_up(75)
)
PAGE_BUSY = (
    CONSULTATION_STARTED
    + """
22   | HANGUP       | carrier#2 | source=carrier#2 cause=17
22   | DIALLED      | 1001 | trunk=carrier status=BUSY cause=17
22   | TRANSFER_END | 1001 | result=busy returned=yes
22.5 | BRIDGE_ENTER | caller | bridge=b3
22.5 | BRIDGE_ENTER | 1001 | bridge=b3
42.5 | BRIDGE_EXIT  | caller | bridge=b3
42.5 | HANGUP       | 1001 | source=caller
"""
    + caller_hangs_up(42.5)
)
PAGE_OPERATOR_HANGS_UP = (
    CONSULTATION_STARTED
    + """
23   | HANGUP       | 1001 | source=1001
23   | HANGUP       | carrier#2 | source=1001
24   | TRANSFER_END | caller | result=failed returned=yes
24   | QUEUE        | caller | queue=ru language=ru topic= why=returned
24   | APP_START    | caller | app=Queue data=ru,c
"""
    + OPERATOR_ANSWERS_AGAIN
    + caller_hangs_up(50)
)
CONFERENCE = (
    CONSULTATION_ANSWERED
    + """
40   | BRIDGE_EXIT  | carrier#2 | bridge=b2
40   | BRIDGE_EXIT  | 1001 | bridge=b2
40   | TRANSFER_END | 1001 | result=answered returned=no
40   | BRIDGE_ENTER | caller | bridge=room
40   | BRIDGE_ENTER | 1001 | bridge=room
40   | BRIDGE_ENTER | carrier#2 | bridge=room
55   | BRIDGE_EXIT  | 1001 | bridge=room
55   | HANGUP       | 1001 | source=1001
70   | BRIDGE_EXIT  | carrier#2 | bridge=room
70   | HANGUP       | carrier#2 | source=carrier#2
70   | BRIDGE_EXIT  | caller | bridge=room
"""
    + caller_hangs_up(72)
)
CONFERENCE_LEFT_BY_CALLER = (
    CONFERENCE[: CONFERENCE.index("55 ")]
    + """
55   | BRIDGE_EXIT  | caller | bridge=room
55.1 | BRIDGE_EXIT  | 1001 | bridge=room
55.1 | HANGUP       | 1001 | source=1001
55.2 | BRIDGE_EXIT  | carrier#2 | bridge=room
55.2 | HANGUP       | carrier#2 | source=carrier#2
"""
    + caller_hangs_up(55.3)
)
# From the phone: a second call with its own linkedid; the phone then joins the two or returns.
SECOND_CALL = (
    TO_TALK
    + f"""
19   | HOLD         | 1001 |
20   | CHAN_START   | b:second:1001 | exten={EMPLOYEE}
20.1 | RECORDING    | b:second:1001 | file=2026/11/24/{{call}}-b.wav
20.1 | OUTGOING     | b:second:1001 | number={EMPLOYEE} by=op01 reason=phone for= shown=
20.2 | CHAN_START   | b:carrier#2 |
"""
)
SECOND_CALL_ANSWERED = (
    SECOND_CALL
    + """
25   | ANSWER       | b:carrier#2 |
25   | BRIDGE_ENTER | b:carrier#2 | bridge=b2
25   | BRIDGE_ENTER | b:second:1001 | bridge=b2
"""
)
PHONE_JOINED = (
    SECOND_CALL_ANSWERED
    + """
40   | ATTENDEDTRANSFER | 1001 | channel2=second:1001
40   | BRIDGE_EXIT  | b:second:1001 | bridge=b2
40   | BRIDGE_EXIT  | b:carrier#2 | bridge=b2
40   | BRIDGE_EXIT  | 1001 | bridge=b1
40   | BRIDGE_ENTER | carrier#2 | bridge=b1
40   | HANGUP       | b:second:1001 | source=none
40   | HANGUP       | 1001 | source=1001
70   | BRIDGE_EXIT  | carrier#2 | bridge=b1
70   | BRIDGE_EXIT  | caller | bridge=b1
70   | HANGUP       | carrier#2 | source=carrier#2
"""
    + caller_hangs_up(75)
)
PHONE_BUSY = (
    SECOND_CALL
    + """
23   | HANGUP       | b:carrier#2 | source=carrier#2 cause=17
23   | DIALLED      | b:second:1001 | trunk=carrier status=BUSY cause=17
23   | HANGUP       | b:second:1001 | source=none cause=17
23   | LINKEDID_END | b:second:1001 |
24   | UNHOLD       | 1001 |
44   | BRIDGE_EXIT  | caller | bridge=b1
44   | HANGUP       | 1001 | source=caller
"""
    + caller_hangs_up(44)
)
# The operator drops the caller and stays in the second call, which becomes an outbound call.
CALLER_DROPPED = (
    SECOND_CALL_ANSWERED
    + """
40   | BRIDGE_EXIT  | 1001 | bridge=b1
40   | BRIDGE_EXIT  | caller | bridge=b1
40   | HANGUP       | 1001 | source=1001
"""
    + caller_hangs_up(45)
    + """
60   | BRIDGE_EXIT  | b:second:1001 | bridge=b2
60   | HANGUP       | b:carrier#2 | source=second:1001
60   | HANGUP       | b:second:1001 | source=second:1001
60   | LINKEDID_END | b:second:1001 |
"""
)
AUTOMATIC_TRANSFER = (
    ARRIVAL
    + f"""
5    | TRANSFER     | caller | kind=automatic to={EMPLOYEE} by=
5.1  | CHAN_START   | carrier#2 |
"""
)
AUTOMATIC_ANSWERED = (
    AUTOMATIC_TRANSFER
    + """
9    | ANSWER       | carrier#2 |
9    | TRANSFER_END | carrier#2 | result=answered returned=no
9    | BRIDGE_ENTER | carrier#2 | bridge=b2
9    | BRIDGE_ENTER | caller | bridge=b2
29   | BRIDGE_EXIT  | caller | bridge=b2
29   | HANGUP       | carrier#2 | source=caller
"""
    + caller_hangs_up(29)
)
AUTOMATIC_UNANSWERED = (
    AUTOMATIC_TRANSFER
    + """
20   | HANGUP       | carrier#2 | source=none cause=0
20   | DIALLED      | caller | trunk=carrier status=NOANSWER cause=0
20   | TRANSFER_END | caller | result=no_answer returned=yes
20   | QUEUE        | caller | queue=ru language=ru topic= why=returned
20   | APP_START    | caller | app=Queue data=ru,c
"""
    + OPERATOR_ANSWERS_AGAIN
    + caller_hangs_up(50)
)
CALL_WITH_HOLD = (
    TO_TALK
    + """
20 | HOLD         | 1001 |
30 | UNHOLD       | 1001 |
48.2 | BRIDGE_EXIT | caller | bridge=b1
48.2 | HANGUP      | 1001 | source=caller
"""
    + caller_hangs_up(48.2)
)
# Calls that the site places itself.
OUTBOUND_DIALLED = f"""
0    | CHAN_START   | first:1001 | exten={EMPLOYEE}
0.1  | RECORDING    | first:1001 | file=2026/11/24/{{call}}.wav
0.1  | OUTGOING     | first:1001 | number={EMPLOYEE} by=op01 reason=follow_up for=77 shown={HOTLINE}
0.2  | CHAN_START   | carrier#2 |
"""
OUTBOUND_ANSWERED = (
    OUTBOUND_DIALLED
    + """
6    | ANSWER       | carrier#2 |
6    | BRIDGE_ENTER | carrier#2 | bridge=b1
6    | BRIDGE_ENTER | first:1001 | bridge=b1
36   | BRIDGE_EXIT  | first:1001 | bridge=b1
36   | BRIDGE_EXIT  | carrier#2 | bridge=b1
36   | HANGUP       | carrier#2 | source=carrier#2
36   | HANGUP       | first:1001 | source=carrier#2
"""
)
OUTBOUND_OVER_SECOND_TRUNK = (
    OUTBOUND_DIALLED
    + """
3    | HANGUP       | carrier#2 | source=none cause=34
3    | DIALLED      | first:1001 | trunk=carrier status=CONGESTION cause=34
3.1  | CHAN_START   | second#1 |
8    | HANGUP       | second#1 | source=second#1 cause=17
8    | DIALLED      | first:1001 | trunk=second status=BUSY cause=17
9    | HANGUP       | first:1001 | source=none cause=17
"""
)
OUTBOUND_CANCELLED = (
    OUTBOUND_DIALLED
    + """
9    | HANGUP       | carrier#2 | source=first:1001 cause=16
9    | HANGUP       | first:1001 | source=first:1001 cause=16
"""
)
OUTBOUND_CANCELLED_FIRST = (  # the operator's own channel ends before the trunk's
    OUTBOUND_DIALLED
    + """
9    | HANGUP       | first:1001 | source=first:1001 cause=127
9    | HANGUP       | carrier#2 | source=none cause=127
"""
)
INTERNAL_CALL = """
0    | CHAN_START   | first:1001 | exten=1002
0.1  | CHAN_START   | 1002 |
4    | ANSWER       | 1002 |
4    | BRIDGE_ENTER | 1002 | bridge=b1
4    | BRIDGE_ENTER | first:1001 | bridge=b1
14   | BRIDGE_EXIT  | first:1001 | bridge=b1
14   | HANGUP       | 1002 | source=1002
14   | HANGUP       | first:1001 | source=1002
"""
CALLBACK_DIALLED = f"""
0    | CHAN_START   | first:local;1 | context=outgoing-machine exten={EMPLOYEE}
0    | CHAN_START   | local;2 | context=outgoing-machine
0.1  | OUTGOING     | local;2 | number={EMPLOYEE} by= reason=callback for=12 shown={HOTLINE}
0.2  | CHAN_START   | carrier#2 |
"""
CALLBACK_REACHED = (
    CALLBACK_DIALLED
    + """
6    | ANSWER       | carrier#2 |
6    | ANSWER       | local;2 |
6    | ANSWER       | first:local;1 |
6.1  | BRIDGE_ENTER | carrier#2 | bridge=b1
6.1  | BRIDGE_ENTER | local;2 | bridge=b1
9    | QUEUE        | first:local;1 | queue=uz language=uz topic= why=callback
9    | APP_START    | first:local;1 | app=Queue data=uz,c
"""
)
CALLBACK_ANSWERED = (
    CALLBACK_REACHED
    + """
9.1  | CHAN_START   | 1001 |
12   | ANSWER       | 1001 |
12   | BRIDGE_ENTER | 1001 | bridge=b2
12   | BRIDGE_ENTER | first:local;1 | bridge=b2
32   | BRIDGE_EXIT  | 1001 | bridge=b2
32   | BRIDGE_EXIT  | first:local;1 | bridge=b2
32   | HANGUP       | 1001 | source=1001
36   | RATING       | first:local;1 | mark=4
38   | HANGUP       | first:local;1 | source=none
38   | HANGUP       | local;2 | source=none
38   | HANGUP       | carrier#2 | source=none
"""
)
CALLBACK_ABANDONED = (
    CALLBACK_REACHED
    + """
20   | BRIDGE_EXIT  | carrier#2 | bridge=b1
20   | HANGUP       | carrier#2 | source=carrier#2
20   | HANGUP       | local;2 | source=carrier#2
20   | HANGUP       | first:local;1 | source=carrier#2
"""
)
CALLBACK_UNANSWERED = (
    CALLBACK_DIALLED
    + """
30   | HANGUP       | carrier#2 | source=none cause=0
30   | DIALLED      | local;2 | trunk=carrier status=NOANSWER cause=0
30   | HANGUP       | local;2 | source=none cause=19
30   | HANGUP       | first:local;1 | source=none cause=19
"""
)
# A supervisor listens, then takes over the caller.
SUPERVISOR_TAKEOVER = (
    TO_TALK
    + """
20   | CHAN_START   | b:second:1003 |
21   | ANSWER       | b:second:1003 |
30   | BRIDGE_EXIT  | caller | bridge=b1
30   | BRIDGE_EXIT  | 1001 | bridge=b1
30   | HANGUP       | 1001 | source=none
30   | BRIDGE_ENTER | caller | bridge=b2
30   | BRIDGE_ENTER | second:1003 | bridge=b2
50   | BRIDGE_EXIT  | caller | bridge=b2
50   | HANGUP       | second:1003 | source=caller
"""
    + caller_hangs_up(50)
)
LISTENING_IN = """
0    | CHAN_START   | first:1003 |
2    | ANSWER       | first:1003 | context=spy
9    | HANGUP       | first:1003 | context=spy source=first:1003
"""
