"""Names: given names and family names from many places, none of them anybody's in particular.

Given and family names are drawn apart, so that names mix as they do in a large city.
"""

from random import Random

from shared.coach.vocabulary import Sex

FEMALE = tuple(
    """
    Abigail Adaeze Agnieszka Aiko Aisha Alejandra Alice Alma Amara Amelia Amina Amrita Ana Anahit
    Anastasia Andrea Angela Anh Anita Anja Anna Annika Anouk Antonia Anushka Aoife Ariana Asha Astrid
    Aurora Ayesha Aylin Beatriz Bianca Bojana Brenda Brigid Camila Carla Carmen Caroline Catarina Cecilia
    Chiara Chidinma Chloe Clara Claudia Daniela Daria Deborah Deepa Denise Diana Dina Dolores Dorota
    Ebony Eilidh Elena Eleni Elif Elise Elizabeth Ella Emily Emma Esperanza Esra Esther Eun-ji Eva Farah
    Fatima Fatou Fernanda Fiona Francesca Frida Gabriela Gemma Giulia Gloria Grace Greta Habiba Hana
    Hannah Harriet Hatice Helen Hiba Hilda Imani Ines Ingrid Irene Iris Isabel Isha Ivana Jacqueline
    Jasmine Jelena Jessica Jiayi Joanna Johanna Josephine Joy Judith Julia Kamala Karen Katarina Kavita
    Keiko Kerstin Khadija Kim Kirsten Lakshmi Latoya Laura Layla Leila Lena Leticia Lidia Ling Lisa Lucia
    Luisa Lydia Mai Malin Margaret Maria Mariam Marisol Marta Mary Matilda Maya Meera Mei Melissa Mercy
    Mila Mina Mirela Monica Nadia Nala Naomi Natalia Ngozi Nicole Nina Noor Nora Olga Olivia Paloma
    Patience Patricia Paula Petra Pilar Priya Rachel Rahel Renata Rita Rosa Ruth Sabine Salma Samira Sana
    Sandra Sara Shanice Shirin Siobhan Sofia Sonja Soo-ah Stella Sunita Svetlana Tamara Tanja Tatiana
    Teresa Thandiwe Tiffany Ursula Valentina Vanessa Vera Veronika Violet Wanjiru Wanda Yara Yasmin
    Yewande Yuki Zahra Zainab Zoë Zuzana
    """.split()
)

MALE = tuple(
    """
    Aaron Abdul Abel Adam Aditya Adrian Ahmed Akira Alan Alberto Alejandro Alexander Ali Amadou Amir
    Anders Andre Andrei Andrew Angus Anthony Anton Antonio Arjun Arthur Arturo Babak Bartosz Ben Benedikt
    Bilal Björn Bogdan Boris Brandon Brian Bruno Caleb Callum Carlos Cedric Cem Charles Chidi Chinedu
    Christian Christoph Colin Cormac Cristian Daichi Damian Daniel Darius Darnell David Davide Deepak
    Denis Dennis Desmond Diego Dimitri Dmitry Dominic Dong-hyun Douglas Dragan Eamon Edgar Eduardo Ehsan
    Eli Elias Emeka Emil Emmanuel Enrique Eric Erik Ernesto Esteban Ethan Evan Fabian Faisal Farid Felix
    Fernando Filip Florian Francisco Frank Franz Gabriel Gareth George Gerhard Gianni Gilbert Goran
    Graham Gregor Guillermo Gustavo Hamza Hans Haruto Hasan Hector Henrik Henry Hiroshi Hugo Hussein Ian
    Ibrahim Igor Imran Isaac Ismail Ivan Jack Jacob Jakub Jamal James Jan Jason Javier Jerome Jesse Jiho
    Joao Joel Johan John Jonas Jordan Jorge José Joseph Joshua Juan Julian Jun Kareem Karl Karthik Kenji
    Kevin Khalid Kofi Krzysztof Kwame Lars Laszlo Leandro Lee Leo Leon Liam Lorenzo Louis Luca Lucas Luis
    Lukas Malcolm Manuel Marc Marco Marcus Mario Martin Mateo Matteo Matthew Max Mehmet Miguel Mikael
    Minh Mohammed Moses Musa Nathan Neil Nicolas Nikhil Nils Noah Oleg Oliver Omar Oscar Pablo Patrick
    Paul Pavel Pedro Peter Philip Pierre Rafael Rahul Rajesh Ravi Raymond Ricardo Robert Roland Samuel
    Sanjay Sebastian Sergei Simon Stefan Takumi Tariq Thabo Thomas Tomasz Tunde Viktor Wei Xavier Yusuf
    Zoltan
    """.split()
)

FAMILY = tuple(
    """
    Abdullah Abebe Achterberg Adeyemi Afolabi Aguilar Ahlberg Ahmadi Akhtar Alonso Andersen Andrade
    Antonov Aoki Appiah Arslan Asante Aydin Bailey Bakker Balogun Banerjee Barbosa Barnes Bauer Becker
    Bell Benitez Bergman Bianchi Boateng Bondarenko Borg Bowen Brennan Brooks Byrne Cabrera Campbell
    Cardoso Carlsson Carter Castillo Chanda Chatterjee Chen Cho Chowdhury Clarke Coleman Conti Cooper
    Correa Costa Cruz Cunningham Czerny Dahl Daniels Das Davies Dekker Delgado Demir Desai Dhillon Diallo
    Diaz Dimitrov Dinh Dlamini Doherty Dubois Duarte Dvorak Eastwood Edwards Eriksen Espinoza Evans
    Farkas Farouk Fernandes Ferrari Fischer Flores Fofana Foster Fournier Fraser Fujita Gallagher Garcia
    Garner Ghosh Gibson Gill Goldberg Gomez Graham Grant Greco Green Griffiths Guerrero Gunnarsson Gupta
    Gutierrez Haddad Hansen Hashimi Hayashi Hernandez Herrera Hidalgo Hoffmann Holm Horvat Hosseini
    Hughes Hussain Ibarra Iliescu Inoue Iversen Iyer Jackson Jankowski Jansen Jensen Jimenez Johansson
    Jones Joshi Juarez Kaminski Kang Kaplan Kapoor Karimi Kato Kaya Keita Keller Kelly Kennedy Khan
    Khoury Kim Kipkemboi Klein Koch Kovacs Kowalski Kruger Kumar Lambert Larsen Laurent Lee Lewis Li Lim
    Lindholm Lopez Lorente Lund MacLeod Mahlangu Malik Mancini Marchetti Marin Markovic Martins Mbeki
    McCarthy Medina Mehta Mendoza Mensah Meyer Miller Mitchell Molina Mora Moreau Morgan Moroz Mukherjee
    Murphy Mutua Nagy Nair Nakamura Navarro Ncube Nelson Nguyen Nielsen Nikolaidis Novak Nowak Nwosu
    O'Brien O'Neill Obi Ochieng Okafor Okonkwo Oliveira Olsen Omondi Ortega Osman Ozturk Pacheco
    Papadakis Park Parker Patel Pereira Perez Petrov Pham Phiri Popescu Powell Quinn Rahimi Ramirez Rao
    Rasmussen Reddy Reid Reyes Richter Rivera Roberts Rojas Romano Rosen Rossi Roy Ruiz Saito Salazar
    Saleh Sanchez Santos Sato Schmidt Schneider Serrano Shah Sharma Shevchenko Silva Singh Sithole
    Sorensen Soto Stewart Suzuki Svensson Tanaka Taylor Teixeira Tesfaye Thapa Torres Tran Tshabalala
    Vargas Vasquez Visser Vogel Vu Wagner Walker Walsh Wang Weber Williams Wong Wright Yamada Yang Yeboah
    Yilmaz Zhang Zhou Zielinski Zimmermann
    """.split()
)

GIVEN: dict[Sex, tuple[str, ...]] = {"female": FEMALE, "male": MALE, "other": FEMALE + MALE}


def draw_name(rng: Random, sex: Sex) -> str:
    """Return a given and a family name; the given one fits the sex."""
    return f"{rng.choice(GIVEN[sex])} {rng.choice(FAMILY)}"
