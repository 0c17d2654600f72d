"""Complete calls as Asterisk 22 logs them, copied from its own logs."""

ARRIVAL = """
0.0  | CHAN_START  | caller | num=998935550147
0.1  | ARRIVED     | caller | dialled=1006 trunk=carrier caller=998935550147 diverted=
0.1  | ANSWER      | caller | app=Answer
"""
TO_QUEUE = (
    ARRIVAL
    + """
2.0  | KEY          | caller | key=2
2.0  | LANGUAGE     | caller | language=ru
5.0  | RECORDING    | caller | file=2026/11/24/{call}.wav
5.0  | APP_START    | caller | app=Queue data=ru,c,,,300
"""
)
TO_TALK = (
    TO_QUEUE
    + """
5.5  | CHAN_START   | 1001 |
8.0  | ANSWER       | 1001 | app=AppQueue
8.1  | BRIDGE_ENTER | 1001 | bridge=b1
8.2  | BRIDGE_ENTER | caller | bridge=b1
"""
)
RATED_CALL = (
    TO_TALK
    + """
68.2 | BRIDGE_EXIT  | 1001 | bridge=b1
68.2 | BRIDGE_EXIT  | caller | bridge=b1
68.2 | HANGUP       | 1001 | source=1001
68.2 | CHAN_END     | 1001 |
68.3 | APP_END      | caller | app=Queue data=ru,c,,,300
68.3 | QUEUE_LEFT   | caller | queue=ru status=CONTINUE
72.0 | RATING       | caller | mark=4 operator=op01
74.0 | HANGUP       | caller | source=1001
74.0 | CHAN_END     | caller |
74.0 | LINKEDID_END | caller |
"""
)
LEFT_BY_CALLER = (
    TO_TALK
    + """
30.2 | BRIDGE_EXIT  | caller | bridge=b1
30.2 | BRIDGE_EXIT  | 1001 | bridge=b1
30.2 | HANGUP       | 1001 | source=caller
30.2 | CHAN_END     | 1001 |
30.2 | APP_END      | caller | app=Queue
30.2 | HANGUP       | caller | source=caller
30.2 | CHAN_END     | caller |
30.2 | LINKEDID_END | caller |
"""
)
ABANDONED_IN_MENU = (
    ARRIVAL
    + """
3.0  | HANGUP       | caller | source=caller
3.0  | CHAN_END     | caller |
3.0  | LINKEDID_END | caller |
"""
)
ABANDONED_IN_QUEUE = (
    TO_QUEUE
    + """
5.5  | CHAN_START   | 1001 |
20.5 | HANGUP       | 1001 | source=none cause=0
21.0 | CHAN_START   | 1002 |
25.0 | APP_END      | caller | app=Queue
25.0 | HANGUP       | 1002 | source=none cause=0
25.0 | HANGUP       | caller | source=caller cause=0
25.0 | LINKEDID_END | caller |
"""
)
TIMED_OUT = (
    TO_QUEUE
    + """
5.5  | CHAN_START   | 1001 |
6.0  | HANGUP       | 1001 | source=1001 cause=17
7.0  | CHAN_START   | 1001#2 |
8.0  | HANGUP       | 1001#2 | source=1001#2 cause=21
305  | APP_END      | caller | app=Queue
305  | QUEUE_LEFT   | caller | queue=ru status=TIMEOUT
309  | HANGUP       | caller | source=none
309  | LINKEDID_END | caller |
"""
)
# The operator's phone stops sending, Asterisk hangs it up (cause 44), the caller is queued again.
DEAD_PHONE = (
    TO_TALK
    + """
28.2 | BRIDGE_EXIT  | 1001 | bridge=b1
28.2 | BRIDGE_EXIT  | caller | bridge=b1
28.2 | HANGUP       | 1001 | source=none cause=44
28.2 | APP_END      | caller | app=Queue
28.2 | QUEUE_LEFT   | caller | queue=ru status=CONTINUE
28.3 | APP_START    | caller | app=Queue data=ru,c,,,300
28.5 | CHAN_START   | 1002 |
30.0 | ANSWER       | 1002 |
30.1 | BRIDGE_ENTER | 1002 | bridge=b2
30.1 | BRIDGE_ENTER | caller | bridge=b2
40.1 | BRIDGE_EXIT  | caller | bridge=b2
40.1 | HANGUP       | 1002 | source=caller
40.1 | APP_END      | caller | app=Queue
40.1 | HANGUP       | caller | source=caller
40.1 | LINKEDID_END | caller |
"""
)
# The operator's page is reloaded: music plays to the caller until the page takes them back.
TO_GAP = (
    TO_TALK
    + """
28.2 | BRIDGE_EXIT  | 1001 | bridge=b1
28.2 | BRIDGE_EXIT  | caller | bridge=b1
28.2 | APP_END      | caller | app=Queue
28.2 | QUEUE_LEFT   | caller | queue=ru status=CONTINUE
28.2 | LOST         | caller | extension=1001
28.2 | HANGUP       | 1001 | source=none cause=44
28.4 | RECORDING    | caller | file=2026/11/24/{call}-2.wav
"""
)
TALK_RESUMED = (
    TO_GAP
    + """
30.0 | APP_START    | caller | app=Dial data=PJSIP/1001
30.0 | CHAN_START   | 1001#2 |
30.1 | ANSWER       | 1001#2 | app=AppDial
30.2 | BRIDGE_ENTER | 1001#2 | bridge=b2
30.2 | BRIDGE_ENTER | caller | bridge=b2
"""
)
CUT_OFF_TRUNK = (
    TO_QUEUE
    + """
9.0  | HANGUP       | caller | source=none cause=38
9.0  | LINKEDID_END | caller |
"""
)
REFUSED_OUT = """
0.0  | CHAN_START   | caller | context=from-operator num=1001
0.1  | HANGUP       | caller | source=none cause=21
0.1  | LINKEDID_END | caller |
"""
BOOT_RECORDS = """
0.0  | CHAN_START   | caller | context=boot
0.1  | BOOT         | caller | context=boot
0.2  | HANGUP       | caller | context=boot source=none
0.2  | LINKEDID_END | caller | context=boot
"""
