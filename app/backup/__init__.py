"""The room that answers: is there a copy to go back to, is it sound, and how is it put back?"""
