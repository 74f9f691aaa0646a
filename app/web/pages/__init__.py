"""Pages (HTML). How is what strangers are shown of a person made into pages, without a script?"""
